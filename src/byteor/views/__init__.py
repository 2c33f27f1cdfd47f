"""What the model plane shows of a document: a drawing, a difference, a schema, a C header."""
