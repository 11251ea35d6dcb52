export { httpApi, readDevice, Unauthorized, type Api, type Device } from './api';
export { openInBrowser, socketUrl, type BrowserOptions } from './browser';
export { DopamineHero, type ClientOptions, type ClientState, type Refusal } from './client';
export { ServerClock, type TimeSource } from './clock';
export type { Link, SocketLike, Surroundings } from './connection';
export { plannedMinutes, type View } from './optimistic';
export * from './protocol.gen';
export { KEY, MemoryStorage, WebStorage, type KeyValue } from './storage';
export * as timer from './timer';
