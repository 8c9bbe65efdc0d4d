interface EventSource {
  addEventListener(type: string, listener: () => void): void;
  removeEventListener(type: string, listener: () => void): void;
}

/** The parts of a page that are used. A worker has only the first, and Node has none. */
interface Page extends Partial<EventSource> {
  readonly document?: EventSource & { readonly visibilityState?: string };
}

/**
 * Calls the listener when the page becomes visible again, and when the network comes back.
 * @returns ends it
 */
export function onReturn(listener: () => void): () => void {
  const page = globalThis as Page;
  const { document } = page;
  const onVisibility = (): void => {
    if (document?.visibilityState === 'visible') listener();
  };
  page.addEventListener?.('online', listener);
  document?.addEventListener('visibilitychange', onVisibility);
  return () => {
    page.removeEventListener?.('online', listener);
    document?.removeEventListener('visibilitychange', onVisibility);
  };
}
