// A certified authorization server that oauthctl did not write, strict in every
// way that it can be: PKCE required, refresh tokens used once, reuse revokes the
// family. Prints its issuer as one line of JSON, then serves until stdin ends.
//
// GET /__stats tells the tests what really happened at the token endpoint.
import { createServer } from 'node:http';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { errors, Provider } from 'oidc-provider';

let forgotten = false;
let accessTTL = 3600; // seconds; POST /__ttl/N changes it
const stats = { token: {}, errors: {}, revoked: 0, requests: [] };

const configuration = {
  clients: [
    {
      client_id: 'cli',
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      redirect_uris: ['http://127.0.0.1/callback', 'http://localhost/callback', 'http://[::1]/callback'],
      response_types: ['code'],
    },
    {
      client_id: 'web app', // the space shows that Basic credentials are form-encoded (RFC 6749 §2.3.1)
      client_secret: 'e2e+canary/secret:with%signs=',
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: ['https://app.example.com/callback'],
      response_types: ['code'],
    },
    {
      client_id: 'worker',
      client_secret: 'e2e-canary-worker-secret',
      token_endpoint_auth_method: 'client_secret_post',
      grant_types: ['client_credentials', 'urn:ietf:params:oauth:grant-type:token-exchange'],
      redirect_uris: [],
      response_types: [],
    },
  ].concat(process.env.SIGNER_JWKS ? [{ // the test makes the keys, and keeps their private halves
    client_id: 'signer',
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: JSON.parse(process.env.SIGNER_JWKS),
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials', 'urn:ietf:params:oauth:grant-type:device_code', 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
    redirect_uris: ['http://127.0.0.1/callback'],
    application_type: 'native',
    response_types: ['code'],
  }] : []),
  scopes: ['openid', 'profile', 'email', 'offline_access', 'files:read', 'files:write'],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'preferred_username'] },
  clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: async (ctx, client, code) => client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
  features: {
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    devInteractions: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    userinfo: { enabled: true },
    resourceIndicators: { enabled: false },
  },
  ttl: {
    AccessToken: () => accessTTL, ClientCredentials: () => accessTTL, AuthorizationCode: 60, DeviceCode: 120, IdToken: 600,
    RefreshToken: 86400, Grant: 86400, Session: 86400, Interaction: 600,
  },
  findAccount: async (ctx, id, token) => (forgotten && token ? undefined : {
    accountId: id,
    claims: async () => ({
      sub: id, email: id.includes('@') ? id : `${id}@example.com`, email_verified: true, name: id, preferred_username: id,
    }),
  }),
  cookies: { keys: ['for tests only'] },
};

const server = createServer();
await new Promise((resolve) => server.listen(Number(process.env.PORT || 0), '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;
configuration.clients[0].redirect_uris.push(`http://127.0.0.1/callback/${new URL(issuer).host}`); // of who declares none
const provider = new Provider(issuer, configuration);

// Grants that present a token, RFC 8693 and RFC 7523 §2.1: the library leaves
// them to its users, and gives the client's authentication and the tokens.
const give = async (ctx, more) => {
  const { client, params } = ctx.oidc;
  const token = new provider.ClientCredentials({ client, scope: params.scope });
  ctx.body = { access_token: await token.save(), token_type: 'Bearer', expires_in: token.expiration, scope: params.scope, ...more };
};
const type = 'urn:ietf:params:oauth:token-type:access_token';
provider.registerGrantType('urn:ietf:params:oauth:grant-type:token-exchange', async (ctx) => {
  const { params } = ctx.oidc;
  if (!params.subject_token || params.subject_token_type !== type) throw new errors.InvalidRequest('subject_token or its type is missing');
  const subject = (await provider.AccessToken.find(params.subject_token)) ?? (await provider.ClientCredentials.find(params.subject_token));
  if (!subject) throw new errors.InvalidRequest('subject_token is not valid');
  stats.presented = [].concat(stats.presented ?? [], params.subject_token);
  await give(ctx, { issued_token_type: type });
}, ['subject_token', 'subject_token_type', 'audience', 'scope'], ['audience']);
provider.registerGrantType('urn:ietf:params:oauth:grant-type:jwt-bearer', async (ctx) => {
  try {
    await jwtVerify(ctx.oidc.params.assertion ?? '', createLocalJWKSet(JSON.parse(process.env.SIGNER_JWKS)), {
      issuer: 'signer', subject: 'robot', audience: `${issuer}/token`, requiredClaims: ['exp', 'jti'],
    });
  } catch (err) {
    throw new errors.InvalidGrant(err.message);
  }
  await give(ctx);
}, ['assertion', 'scope']);

const count = (table, key) => { table[key] = (table[key] || 0) + 1; };
provider.on('grant.success', (ctx) => count(stats.token, ctx.oidc.params.grant_type));
provider.on('grant.error', (ctx, err) => count(stats.errors, `${ctx.oidc?.params?.grant_type}: ${err.error}`));
provider.on('grant.revoked', () => { stats.revoked += 1; });
provider.use(async (ctx, next) => {
  if (ctx.path === '/__stats') {
    ctx.body = stats;
    return;
  }
  if (ctx.path.startsWith('/__ttl/')) {
    accessTTL = Number(ctx.path.slice('/__ttl/'.length));
    ctx.body = '';
    return;
  }
  if (ctx.path === '/__forget') { // every refresh token is dead from now on
    forgotten = true;
    ctx.body = '';
    return;
  }
  if (ctx.method === 'POST') stats.requests.push(ctx.path);
  await next();
});

server.on('request', provider.callback());
console.log(JSON.stringify({ issuer }));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
