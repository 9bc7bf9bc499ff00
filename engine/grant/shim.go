package grant

import (
	"net/http"

	"github.com/oauthctl/oauthctl/providers"
)

func wrapQuirks(_ []string, next http.RoundTripper) (http.RoundTripper, error) { return next, nil }

func explainError(*providers.Preset, string, string) (providers.Hint, bool) {
	return providers.Hint{}, false
}
