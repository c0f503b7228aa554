//! Frames, codecs, jitter buffer, mixer, meters, synthetic sources and sinks.
