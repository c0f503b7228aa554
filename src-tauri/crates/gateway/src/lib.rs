//! The embedded server's HTTP and WebSocket listeners.
