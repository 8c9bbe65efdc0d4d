/** Ports unless flags give others. */
export const defaultPorts = Object.freeze({ webSocket: 8080, admin: 9090 });

/** The admin API of a server on this machine with the default port. */
export const defaultAdminUrl = `http://127.0.0.1:${String(defaultPorts.admin)}`;

/** The longest message that the server takes, in bytes: 1 MiB. */
export const defaultMaxPayload = 1_048_576;
