// A certified OpenID Connect provider (oidc-provider), run by the gateway's integration tests as a process.
// Reads {"port","redirectUri","people":{login: claims}} as its first argument; says "ready" once it listens.
import { Provider } from "oidc-provider";

const { port, redirectUri, people, idTokenSeconds } = JSON.parse(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "hotline",
      client_secret: "not-a-secret-of-anybody",
      redirect_uris: [redirectUri],
      grant_types: ["authorization_code"],
      response_types: ["code"],
    },
    {
      client_id: "another-system",
      client_secret: "not-a-secret-of-anybody",
      redirect_uris: [redirectUri],
      grant_types: ["authorization_code"],
      response_types: ["code"],
    },
  ],
  pkce: { required: () => true },
  claims: { openid: ["sub"], profile: ["name", "preferred_username", "groups"] },
  ttl: { IdToken: idTokenSeconds ?? 3600, Session: 3600, Interaction: 600, Grant: 3600, AccessToken: 600 },
  cookies: { keys: ["only-for-tests"] },
  findAccount: (_ctx, id) => (people[id] ? { accountId: id, claims: () => ({ sub: id, ...people[id] }) } : undefined),
  features: { devInteractions: { enabled: true } },
});
provider.listen(port, "127.0.0.1", () => console.log("ready"));
