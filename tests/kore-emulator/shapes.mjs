// The shapes a token request may come in.
//
// Kore.ai does not document what it sends to a "Token request URL": form or JSON, how (or whether) it
// authenticates, and whether grant_type and redirect_uri are there. So every combination is tried.

export const ENCODINGS = ['form', 'json'];

/** How the client proves who it is; `id` is a client_id in the body without a secret, `none` nothing at all. */
export const AUTHENTICATIONS = ['basic', 'body', 'headers', 'id', 'none'];

/** Every combination of encoding, authentication, grant_type and redirect_uri. */
export function allShapes() {
  const flags = [true, false];
  return ENCODINGS.flatMap((encoding) =>
    AUTHENTICATIONS.flatMap((authentication) =>
      flags.flatMap((grantType) => flags.map((redirectUri) => ({ encoding, authentication, grantType, redirectUri }))),
    ),
  );
}

/** `form-basic-grant-redirect`, `json-none` …: a shape as one word, for URLs and reports. */
export function shapeName({ encoding, authentication, grantType, redirectUri }) {
  return [encoding, authentication, grantType && 'grant', redirectUri && 'redirect'].filter(Boolean).join('-');
}

/** The shape that `name` stands for; throws on a name that {@link shapeName} does not make. */
export function parseShape(name) {
  const shape = allShapes().find((candidate) => shapeName(candidate) === name);
  if (!shape) throw new Error(`unknown token request shape "${name}"`);
  return shape;
}

/** RFC 6749 appendix B: ids and secrets are form-encoded before they go into a Basic header. */
function formEncode(text) {
  return new URLSearchParams([['', text]]).toString().slice(1);
}

/** Headers and body of a token request; `parameters` hold what every shape sends, such as the code. */
export function buildTokenRequest(shape, grantType, parameters, redirectUri, client) {
  const fields = { ...parameters };
  const headers = { accept: 'application/json' };
  if (shape.grantType) fields.grant_type = grantType;
  if (shape.redirectUri) fields.redirect_uri = redirectUri;
  switch (shape.authentication) {
    case 'basic': {
      const pair = `${formEncode(client.id)}:${formEncode(client.secret)}`;
      headers.authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
      break;
    }
    case 'body':
      fields.client_id = client.id;
      fields.client_secret = client.secret;
      break;
    case 'headers':
      headers['plaid-client-id'] = client.id;
      headers['plaid-secret'] = client.secret;
      break;
    case 'id':
      fields.client_id = client.id;
      break;
    default:
  }
  if (shape.encoding === 'json') {
    return { headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(fields) };
  }
  const body = new URLSearchParams(fields).toString();
  return { headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' }, body };
}
