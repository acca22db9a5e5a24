// The calls to the simulator, which stand beside this script.

const unreachable = {
  error_type: 'API_ERROR',
  error_code: 'INTERNAL_SERVER_ERROR',
  error_message: 'The Link simulator could not be reached.',
  display_message: 'The simulator could not be reached. Is it still running?',
};

// Gives {answer} or {error}, and what came along; never throws.
export const post = async (path, body) => {
  try {
    const response = await fetch(new URL(path, import.meta.url), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    const answer = await response.json();
    // One of Plaid's errors has a status of success (208).
    return response.ok && !answer.error_code ? { answer, events: answer.events } : { error: answer, events: answer.events };
  } catch {
    return { error: unreachable };
  }
};

export const plaidError = ({ error_type, error_code, error_message, display_message }) => ({
  error_type,
  error_code,
  error_message,
  display_message,
});
