//! What holds for every message and for every row of bytes.

use proptest::collection::vec;
use proptest::prelude::*;
use protocol::client::ClientMessage;
use protocol::codec::{
    Consequence, DecodeErrorKind, decode_client, decode_server, encode_client, encode_server,
};
use protocol::server::ServerMessage;
use protocol::{close, limit};

use crate::{arbitrary, sample};

proptest! {
    #[test]
    fn what_a_client_sends_arrives(bytes in vec(any::<u8>(), 0..600)) {
        let message: ClientMessage = arbitrary::message(&bytes);
        let frame = encode_client(&message);
        prop_assert!(frame.len() <= limit::INBOUND_FRAME_BYTES_MAX);
        prop_assert_eq!(decode_client(&frame), Ok(message));
    }

    #[test]
    fn what_the_server_sends_arrives(bytes in vec(any::<u8>(), 0..2_000)) {
        let message: ServerMessage = arbitrary::message(&bytes);
        prop_assert_eq!(decode_server(&encode_server(&message)), Ok(message));
    }

    #[test]
    fn any_bytes_have_an_answer(bytes in vec(any::<u8>(), 0..200)) {
        let _ = decode_server(&bytes);
        if let Err(error) = decode_client(&bytes) {
            prop_assert!(error.byte <= bytes.len());
            prop_assert!(error.hint.chars().count() <= 240);
        }
    }

    #[test]
    fn a_cut_frame_is_never_a_message(bytes in vec(any::<u8>(), 0..200), at in any::<prop::sample::Index>()) {
        let frame = encode_client(&arbitrary::message(&bytes));
        let cut = &frame[..at.index(frame.len())];
        let error = decode_client(cut).expect_err("a part is not the whole");
        prop_assert_eq!(error.kind, DecodeErrorKind::Truncated);
        prop_assert_eq!(error.consequence(), Consequence::Close(close::INVALID_PAYLOAD));
    }

    #[test]
    fn a_changed_byte_is_answered(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let all = sample::client();
        let mut frame = encode_client(&all[which.index(all.len())].1);
        let at = at.index(frame.len());
        frame[at] = to;
        if let Ok(message) = decode_client(&frame) {
            // Whatever it says now, it says exactly one thing.
            prop_assert_eq!(decode_client(&encode_client(&message)), Ok(message));
        }
    }
}
