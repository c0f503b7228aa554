//! The vocabulary: ids, commands, replies, events, views, settings, failures.
