package schema_test

import (
	"strings"
	"testing"
)

// A secret must not slip into an address: that is shown, is an argument of the
// browser, stays in its history, and is logged by servers.
func TestSensitiveValuesStayOutOfAddresses(t *testing.T) {
	const canary = "c4n4ry-7781"
	for name, body := range map[string]string{
		"whole map":    `authorize_params = { x = env("AWS_SECRET") }`,
		"interpolated": `authorize_params = { x = "a-${env("AWS_SECRET")}" }`,
		"encoded":      `authorize_params = { x = base64encode(env("AWS_SECRET")) }`,
		"key":          `authorize_params = { (env("AWS_SECRET")) = "x" }`,
		"conditional":  `authorize_params = { x = env("AWS_SECRET") == "no" ? "a" : "b" }`,
		"scopes":       `scopes = ["a", env("AWS_SECRET")]`,
		"scope text":   `scopes = "a ${env("AWS_SECRET")}"`,
		"client_id":    `client_id = env("AWS_SECRET")`,
		"redirect":     `redirect_uris = ["https://a.example/${env("AWS_SECRET")}"]`,
		"account":      `account = env("AWS_SECRET")`,
		"resource":     `resource = [env("AWS_SECRET")]`,
		"audience":     `audience = env("AWS_SECRET")`,
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.HasPrefix(body, "client_id") {
				body = "client_id = \"app\"\n  " + body
			}
			_, diags := try(t, "connection \"graph\" {\n  provider = \"acme\"\n  "+body+"\n}\n", map[string]string{"AWS_SECRET": canary})
			if !diags.HasErrors() {
				t.Fatal("a secret may become part of an address")
			}
			for _, d := range diags {
				if !strings.Contains(strings.ToLower(d.Summary), "sensitive") || strings.Contains(d.Summary+d.Detail, canary) {
					t.Errorf("%s: %s", d.Summary, d.Detail)
				}
			}
		})
	}
	// The form of a token request is not shown: some servers want a key of an API there.
	cfg := load(t, "connection \"graph\" {\n  provider = \"acme\"\n  client_id = \"app\"\n  token_params = { api_key = env(\"AWS_SECRET\") }\n}\n", map[string]string{"AWS_SECRET": canary})
	if cfg.Connections[0].TokenParams["api_key"] != canary {
		t.Error("token_params lost its secret")
	}
}

// The key to the state is nobody's client secret.
func TestEnvDoesNotGiveTheIdentity(t *testing.T) {
	for _, name := range []string{"OAUTHCTL_IDENTITY", "oauthctl_identity", "OAUTHCTL_PASSPHRASE"} {
		_, diags := try(t, "connection \"graph\" {\n  provider = \"acme\"\n  client_id = \"app\"\n  client_secret = env(\""+name+"\")\n}\n",
			map[string]string{name: "AGE-SECRET-KEY-1CANARY"})
		if !diags.HasErrors() || strings.Contains(diags.Error(), "CANARY") {
			t.Errorf("%s: %v", name, diags)
		}
	}
}
