package grant_test

import (
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/engine/grant"
)

// The parameters of the grant block are part of the same address.
func TestGrantParamsTakeNoSecrets(t *testing.T) {
	w := newWorld(t)
	conn := connection(t, "connection \"main\" {\n  provider = \"acme\"\n  client_id = \"client-1\"\n  grant \"authorization_code\" {\n    params = { x = env(\"AWS_SECRET\") }\n  }\n}\n")
	_, diags := grant.NewClient(conn, w.preset())
	if !diags.HasErrors() || !strings.Contains(diags.Error(), "Sensitive value in an address") {
		t.Fatalf("a secret may become part of an address: %v", diags)
	}
}
