// For clients of a server with Mooring, in browsers and Node; without dependencies.
export { createWatchdog } from './create-watchdog.js';
export { explainClose, type CloseAction, type CloseCauseName, type CloseExplanation } from './explain-close.js';
export { keepConnected, type KeepConnectedOptions, type KeptConnection } from './keep-connected.js';
export { reconnectWhenTold, type ReconnectWhenToldOptions, type SocketIoLike } from './reconnect-when-told.js';
export { shouldReconnect, type CloseEventLike, type ReconnectAdvice } from './should-reconnect.js';
export type { SocketLike } from './socket-like.js';
export type { WatchdogOptions } from './watchdog-options.js';
