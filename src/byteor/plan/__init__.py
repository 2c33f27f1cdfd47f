"""What an author means: plan documents, builders and their rules."""
