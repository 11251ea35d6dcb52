/** One frame is one MessagePack value: maps with field names, enums tagged from outside. */

import { decode, encode } from '@msgpack/msgpack';
import type { ClientMessage, ServerMessage } from './protocol.gen';

export function encodeMessage(message: ClientMessage): Uint8Array {
  return encode(message, { ignoreUndefined: true });
}

/** Gives nothing for a frame that is not a message: a newer server may send what this client does not know. */
export function decodeMessage(frame: ArrayBuffer | Uint8Array): ServerMessage | null {
  const value: unknown = decode(frame);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  return value as ServerMessage;
}
