import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { ApiError, link, signIn } from './api.js';
import { shown } from './format.js';
import { useStore } from './store.js';

/** Asks for a token. It stays in this tab. */
export function SignIn() {
  const [token, setToken] = useState('');
  const [trouble, setTrouble] = useState<string | null>(null);
  const [isAsking, setAsking] = useState(false);
  const { isTokenRefused } = useStore(link);
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => field.current?.focus(), []);
  const submit = async (): Promise<void> => {
    setAsking(true);
    try {
      await signIn(token.trim());
    } catch (error) {
      setTrouble(whatIsWrong(error));
      setAsking(false);
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
      <p class="note">This server wants a token. It is kept in this tab alone, until you sign out or close it.</p>
      <label for="token">Token</label>
      <input
        {...{ id: 'token', type: 'password', autocomplete: 'off', spellcheck: false, required: true }}
        ref={field}
        value={token}
        aria-invalid={trouble !== null}
        aria-describedby="token-trouble"
        onInput={(event) => setToken(event.currentTarget.value)}
      />
      <p id="token-trouble" class="trouble" role="alert" hidden={trouble === null}>
        {trouble}
      </p>
      <button type="submit" class="primary" disabled={isAsking || token.trim() === ''}>
        {isAsking ? 'Asking …' : 'Sign in'}
      </button>
    </form>
  );
}

function whatIsWrong(error: unknown): string {
  if (!(error instanceof ApiError)) return 'This cannot be a token: it has characters that no header can carry.';
  return error.status === 401 ? 'The server does not know this token.' : shown(error.message);
}
