package quirk

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// acceptJSON is for GitHub, whose token endpoint answers in form data unless asked:
// https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
func acceptJSON(next http.RoundTripper) http.RoundTripper {
	return header("Accept", "application/json")(next)
}

// header sets a header of every POST request.
func header(name, value string) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Method != http.MethodPost {
				return next.RoundTrip(r)
			}
			r = r.Clone(r.Context())
			r.Header.Set(name, value)
			return next.RoundTrip(r)
		})
	}
}

// jsonRequest is for Notion, which wants the parameters of RFC 6749 as a JSON
// object: https://developers.notion.com/reference/create-a-token. The new request
// has no GetBody: nothing below may send a one-time code twice.
func jsonRequest(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.Method != http.MethodPost || r.Body == nil || !isForm(r.Header) {
			return next.RoundTrip(r)
		}
		form, err := readForm(r.Body)
		if err != nil {
			return nil, err
		}
		body, err := json.Marshal(object(form))
		if err != nil {
			return nil, err
		}
		r = r.Clone(r.Context())
		r.Header.Set("Content-Type", "application/json")
		r.Header.Del("Content-Length")
		r.Body, r.GetBody, r.ContentLength = io.NopCloser(bytes.NewReader(body)), nil, int64(len(body))
		return next.RoundTrip(r)
	})
}

func isForm(h http.Header) bool {
	mt, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && mt == "application/x-www-form-urlencoded"
}

// readForm reads and closes a form body. Its errors hold nothing of the body.
func readForm(body io.ReadCloser) (url.Values, error) {
	defer func() { _ = body.Close() }()
	text, err := io.ReadAll(io.LimitReader(body, maxBody+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxBody {
		return nil, errors.New("the request is larger than 1 MiB")
	}
	form, err := url.ParseQuery(string(text))
	if err != nil {
		return nil, errors.New("the request is not form data")
	}
	return form, nil
}

// object is a form as JSON: a string each, an array where a name is repeated.
func object(form url.Values) map[string]any {
	m := map[string]any{}
	for name, vs := range form {
		if len(vs) == 1 {
			m[name] = vs[0]
		} else {
			m[name] = vs
		}
	}
	return m
}

// withForm is a copy of a request with another form. It has no GetBody, like
// that of jsonRequest.
func withForm(r *http.Request, form url.Values) *http.Request {
	body := form.Encode()
	r = r.Clone(r.Context())
	r.Header.Del("Content-Length")
	r.Body, r.GetBody, r.ContentLength = io.NopCloser(strings.NewReader(body)), nil, int64(len(body))
	return r
}
