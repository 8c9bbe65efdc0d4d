// For clients of a server with Mooring, in browsers and Node; without dependencies.
export { explainClose, type CloseAction, type CloseCauseName, type CloseExplanation } from './explain-close.js';
export { keepConnected, type KeepConnectedOptions, type KeptConnection, type SocketLike } from './keep-connected.js';
export { reconnectWhenTold, type ReconnectWhenToldOptions, type SocketIoLike } from './reconnect-when-told.js';
export { shouldReconnect, type CloseEventLike, type ReconnectAdvice } from './should-reconnect.js';
