package grant

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"

	"github.com/oauthctl/oauthctl/schema/secret"
)

// What GitHub Actions gives to a job that may ask for ID tokens:
// https://docs.github.com/actions/reference/security/oidc.
const (
	gitHubURL   = "ACTIONS_ID_TOKEN_REQUEST_URL"
	gitHubToken = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
)

// askGitHub asks for an ID token of the job that this program runs in.
func (p *party) askGitHub(ctx context.Context, env Env) (secret.Secret, string, *Error) {
	const where, doing = "the answer of GitHub Actions", "ask GitHub Actions for an ID token"
	get := func(name string) string {
		if env.LookupEnv == nil {
			return ""
		}
		value, _ := env.LookupEnv(name)
		return value
	}
	raw, bearer := get(gitHubURL), secret.Secret(get(gitHubToken))
	if raw == "" || bearer.Empty() {
		return "", where, fail(Config, "", "run this in a job of GitHub Actions, and give the job permissions: { id-token: write }",
			"%s and %s are not set, so GitHub Actions gives no ID token here", gitHubURL, gitHubToken)
	}
	u, err := url.Parse(raw)
	if err != nil || checkEndpoint(raw) != nil || u.User != nil {
		return "", where, fail(Config, "", "let GitHub Actions set it", "%s is not an https URL", gitHubURL)
	}
	q := u.Query()
	q.Set("audience", cmp.Or(p.AssertionAudience, p.Issuer, p.TokenEndpoint))
	u.RawQuery = q.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return "", where, fail(Config, "", "", "%s", Clean(err.Error()))
	}
	req.Header.Set("Authorization", "Bearer "+bearer.Reveal())
	req.Header.Set("Accept", "application/json")
	client := *env.HTTP
	client.Jar = nil
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // the bearer token is for nobody else
	resp, err := client.Do(req)
	if err != nil {
		e := fail(Temporary, "", "try again later", "%s: %s", doing, networkDetail(err))
		if errors.Is(err, context.Canceled) {
			e.Kind = Interrupted
		}
		return "", where, e
	}
	defer func() { _ = resp.Body.Close() }()
	return readIDToken(resp, where)
}

// readIDToken reads {"value": "…"}. Nothing of the answer is repeated.
func readIDToken(resp *http.Response, where string) (secret.Secret, string, *Error) {
	text, err := io.ReadAll(resp.Body)
	var answer struct {
		Value secret.Secret `json:"value"`
	}
	switch code := resp.StatusCode; {
	case code >= 500 || code == http.StatusTooManyRequests:
		e := fail(Temporary, "", "try again later", "GitHub Actions gave no ID token: its answer was %d %s", code, http.StatusText(code))
		e.RetryAfter = retryAfter(resp.Header)
		return "", where, e
	case code/100 == 3:
		return "", where, fail(Protocol, "", "", "GitHub Actions answered with a redirect, which is not followed")
	case code != http.StatusOK:
		return "", where, fail(Config, "", "give the job permissions: { id-token: write }", "GitHub Actions gave no ID token: its answer was %d %s", code, http.StatusText(code))
	case err != nil:
		return "", where, fail(Temporary, "", "try again later", "GitHub Actions gave no ID token: %s", networkDetail(err))
	case json.Unmarshal(text, &answer) != nil || answer.Value.Empty():
		return "", where, fail(Protocol, "", "", "GitHub Actions gave no ID token: its answer has no value")
	}
	return answer.Value, where, nil
}
