import { AsyncResource } from 'node:async_hooks';
import type { AsyncContexts } from '../core/async-contexts.js';

/** Made when this module is loaded, normally before the first request, so that it belongs to no request. */
const noRequest = new AsyncResource('Mooring', { requireManualDestroy: true });

/** The contexts of Node: those of `AsyncLocalStorage`, of OpenTelemetry and of `async_hooks`. */
export const nodeContexts: AsyncContexts = Object.freeze({
  outside: <T>(callback: () => T): T => noRequest.runInAsyncScope(callback),
  bound: <Arguments extends unknown[], T>(callback: (...given: Arguments) => T): ((...given: Arguments) => T) => {
    const resource = new AsyncResource('MooringCallback');
    return (...given) => resource.runInAsyncScope(callback, undefined, ...given);
  },
});
