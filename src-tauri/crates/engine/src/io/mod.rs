//! The rim: sockets, names, clock, randomness, media.
