//! SDP text and types, offer/answer for RTP legs.
