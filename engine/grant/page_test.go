package grant

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every page is whole, has all its parts, and needs nothing from anywhere.
func TestPagesStandAlone(t *testing.T) {
	dir := os.Getenv("OAUTHCTL_PAGES") // keep them to look at
	for name, text := range pageTexts {
		w := httptest.NewRecorder()
		write(w, 200, name)
		body := w.Body.String()
		if !strings.HasSuffix(strings.TrimSpace(body), "</html>") || !strings.Contains(body, text.Title) ||
			!strings.Contains(body, text.Next) || !strings.Contains(body, `class="`+string(name)+`"`) {
			t.Errorf("%s: not a whole page:\n%s", name, body)
		}
		if m := regexp.MustCompile(`(?i)<script|<form|<iframe|<base|http-equiv|https?://|\son\w+=|url\(|@import|style="`).FindString(body); m != "" {
			t.Errorf("%s: contains %q", name, m)
		}
		if strings.Contains(body, "{{") {
			t.Errorf("%s: a part was not filled in", name)
		}
		_, style, _ := strings.Cut(body, "<style>")
		style, _, _ = strings.Cut(style, "</style>")
		sum := sha256.Sum256([]byte(style))
		if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, base64.StdEncoding.EncodeToString(sum[:])) {
			t.Errorf("%s: the policy does not allow the page's own style: %s", name, csp)
		}
		if dir != "" {
			if err := os.WriteFile(filepath.Join(dir, string(name)+".html"), w.Body.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}
