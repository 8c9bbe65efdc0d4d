import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { ApiError, serverState, signIn } from './api.js';
import { shown } from './format.js';
import { useStore } from './store.js';

/** The form for the token, which stays in this tab. */
export function SignIn() {
  const [token, setToken] = useState('');
  const [trouble, setTrouble] = useState<string | null>(null);
  const [isSending, setSending] = useState(false);
  const { isTokenRefused } = useStore(serverState);
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => field.current?.focus(), []);
  const submit = async (): Promise<void> => {
    setSending(true);
    try {
      await signIn(token.trim());
    } catch (error) {
      setTrouble(troubleOf(error));
      setSending(false);
    }
  };
  return (
    <form
      class="card sign-in"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <h1>Sign in</h1>
      {isTokenRefused && (
        <p class="banner warn" role="alert">
          The server no longer accepts your token. It may have been replaced.
        </p>
      )}
      <p class="note">This server needs a token. Only this tab keeps it, until you sign out or close the tab.</p>
      <label for="token">Token</label>
      <input
        id="token"
        type="password"
        autocomplete="off"
        spellcheck={false}
        required
        ref={field}
        value={token}
        aria-invalid={trouble !== null}
        aria-describedby="token-trouble"
        onInput={(event) => setToken(event.currentTarget.value)}
      />
      <p id="token-trouble" class="trouble" role="alert" hidden={trouble === null}>
        {trouble}
      </p>
      <button type="submit" class="primary" disabled={isSending || token.trim() === ''}>
        {isSending ? 'Signing in …' : 'Sign in'}
      </button>
    </form>
  );
}

function troubleOf(error: unknown): string {
  if (!(error instanceof ApiError)) return 'This cannot be a token: it has characters that no header can carry.';
  return error.status === 401 ? 'The server does not know this token.' : shown(error.message);
}
