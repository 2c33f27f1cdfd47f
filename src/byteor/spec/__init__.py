"""The stable contract: the spec's values, rules, kv text and description."""
