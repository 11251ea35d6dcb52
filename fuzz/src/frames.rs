//! One frame, from a client or from a server, before anybody looks at what it means.

use protocol::client::ClientMessage;
use protocol::codec::{Consequence, decode_client, decode_server, encode_client, encode_server};
use protocol::limit;
use protocol::server::ServerMessage;

/// Whatever decodes, encodes, and decodes to the same; whatever does not has an answer that can be sent.
pub fn check(bytes: &[u8]) {
    match decode_client(bytes) {
        Ok(message) => {
            let again = encode_client(&message);
            // Fields that were left out are written: a frame that was just short enough may become too long.
            if again.len() <= limit::INBOUND_FRAME_BYTES_MAX {
                assert_eq!(decode_client(&again).as_ref(), Ok(&message));
            }
            if let ClientMessage::Command(frame) = message
                && let Err(rejection) = game_server::convert::command(frame.body)
            {
                let rejected = game_server::convert::rejected(frame.cmd_seq, &rejection);
                arrives(&ServerMessage::Rejected(rejected));
            }
        }
        Err(error) => {
            assert!(error.byte <= bytes.len(), "{error:?}");
            assert!(error.hint.chars().count() <= 240 && !error.hint.contains(char::is_control), "{error:?}");
            if error.consequence() == Consequence::Reject {
                arrives(&ServerMessage::Rejected(error.rejected()));
            }
        }
    }
    if let Ok(message) = decode_server(bytes)
        && encode_server(&message).len() <= limit::OUTBOUND_FRAME_BYTES_MAX
    {
        arrives(&message);
    }
}

fn arrives(message: &ServerMessage) {
    assert_eq!(decode_server(&encode_server(message)).as_ref(), Ok(message));
}
