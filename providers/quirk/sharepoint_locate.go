package quirk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// LocateError says why endpoints were not found, and what to do.
type LocateError struct {
	Doing     string // "ask the site for its realm at https://…"
	Detail    string // may hold text of the server: to be cleaned
	Remedy    string
	Temporary bool
	Status    int   // HTTP status, 0 if none
	Err       error // of the network; nil if an answer came
}

func (e *LocateError) Error() string { return e.Doing + ": " + e.Detail }

func (e *LocateError) Unwrap() error { return e.Err }

// realmChallenge finds the token endpoint of a farm that trusts ACS: the site's
// challenge names the realm, and the service's document for the realm the
// endpoint. Source: TokenHelper.cs, GetRealmFromTargetUrl and GetStsUrl.
func realmChallenge(ctx context.Context, client *http.Client, e *Endpoints) error {
	if e.Token != "" {
		return nil // the realm was given
	}
	realm, err := askRealm(ctx, client, e.Args["site_url"])
	if err != nil {
		return err
	}
	e.Token, err = askTokenEndpoint(ctx, client, acsHost(e.Args), realm)
	return err
}

// askRealm asks the site with an empty bearer token. (Its space at the end is
// not part of a header's value, RFC 9110 §5.5.)
func askRealm(ctx context.Context, client *http.Client, site string) (string, error) {
	at := strings.TrimRight(site, "/") + "/_vti_bin/client.svc"
	fail := &LocateError{Doing: "ask the site for its realm at " + at}
	resp, _, err := get(ctx, client, at, http.Header{"Authorization": {"Bearer "}}) //nolint:bodyclose // get has closed it
	if err != nil {
		return "", fail.network(err)
	}
	fail.Status = resp.StatusCode
	switch {
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500:
		return "", fail.with(true, "try again later", "the site cannot answer now")
	case resp.StatusCode/100 == 3:
		return "", fail.with(false, "write the address that the site answers at", "the site sends elsewhere, to %s", origin(resp))
	case resp.StatusCode == http.StatusNotFound:
		return "", fail.with(false, "compare site_url with the address of the site in a browser", "there is no SharePoint site at this address")
	case resp.StatusCode != http.StatusUnauthorized:
		return "", fail.with(false, "compare site_url with the address of the site in a browser", "the answer is no demand for a token, so this is no SharePoint site, or it lets everybody in")
	}
	return realmOf(challenges(resp.Header), fail)
}

// realmOf takes the realm out of the challenges: the one that SharePoint's own
// principal names, else the only one.
func realmOf(list []challenge, fail *LocateError) (string, error) {
	var own, unnamed, others []string
	add := func(to []string, s string) []string {
		if slices.Contains(to, s) {
			return to
		}
		return append(to, s)
	}
	for _, c := range list {
		realm := strings.ToLower(c.params["realm"])
		switch {
		case !strings.EqualFold(c.scheme, "Bearer"):
			others = add(others, c.scheme)
		case !guid().MatchString(realm):
			others = add(others, "Bearer without a realm")
		case strings.EqualFold(c.params["client_id"], sharePoint):
			own = add(own, realm)
		default:
			unnamed = add(unnamed, realm)
		}
	}
	if len(own) == 0 {
		own = unnamed
	}
	switch len(own) {
	case 1:
		return own[0], nil
	case 0:
		offers := "nothing"
		if len(others) > 0 {
			offers = strings.Join(others, ", ")
		}
		return "", fail.with(false, "ask the farm's administrator to connect the farm to ACS (a trust with a Microsoft 365 tenant), or use high-trust add-ins, which need no ACS; if the realm is known, set realm",
			"the farm is not connected to ACS: it names no realm, and offers only %s", offers)
	}
	return "", fail.with(false, "set realm to the one that is meant", "the site names several realms: %s", strings.Join(own, ", "))
}

// acsDocument is the part of the service's document that is used.
type acsDocument struct {
	Endpoints []struct {
		Location string `json:"location"`
		Protocol string `json:"protocol"`
	} `json:"endpoints"`
}

// askTokenEndpoint asks ACS where it gives out tokens for the realm.
func askTokenEndpoint(ctx context.Context, client *http.Client, host, realm string) (string, error) {
	at := "https://" + host + "/metadata/json/1?realm=" + realm
	fail := &LocateError{Doing: "ask ACS for its endpoints at " + at}
	resp, body, err := get(ctx, client, at, http.Header{"Accept": {"application/json"}}) //nolint:bodyclose // get has closed it
	if err != nil {
		return "", fail.network(err)
	}
	fail.Status = resp.StatusCode
	switch {
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500:
		return "", fail.with(true, "try again later", "the service cannot answer now")
	case resp.StatusCode != http.StatusOK:
		return "", fail.with(false, "check realm; if the farm belongs to another cloud, set cloud", "ACS does not know the realm %s", realm)
	}
	var doc acsDocument
	if err := json.Unmarshal(body, &doc); err != nil {
		return "", fail.with(false, "try again; if it stays so, set realm", "the answer is no metadata document")
	}
	for _, e := range doc.Endpoints {
		if !strings.EqualFold(e.Protocol, "OAuth2") {
			continue
		}
		u, err := url.Parse(e.Location)
		if err != nil || u.Scheme != "https" || u.Host != host || u.User != nil || u.RawQuery != "" || !strings.HasPrefix(strings.ToLower(u.Path), "/"+realm+"/") {
			return "", fail.with(false, "set realm, and report it", "the token endpoint %q is not one of ACS for the realm", e.Location)
		}
		return e.Location, nil
	}
	return "", fail.with(false, "set realm", "the document names no endpoint of the protocol OAuth2")
}

// get makes one GET request. The client follows redirects within one origin,
// caps the body and keeps deadlines.
func get(ctx context.Context, client *http.Client, at string, h http.Header) (*http.Response, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, nil, err
	}
	req.Header = h
	resp, err := client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil && resp.StatusCode == http.StatusOK {
		return nil, nil, err
	}
	return resp, body, nil
}

// origin is where a redirect leads, without its path.
func origin(resp *http.Response) string {
	u, err := resp.Location()
	if err != nil {
		return "no address"
	}
	return u.Scheme + "://" + u.Host
}

func (e *LocateError) with(temporary bool, remedy, format string, args ...any) *LocateError {
	e.Temporary, e.Remedy, e.Detail = temporary, remedy, fmt.Sprintf(format, args...)
	return e
}

// network is the failure of a request that got no answer.
func (e *LocateError) network(err error) *LocateError {
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err // the address stands in Doing
	}
	e.Err = err
	return e.with(true, "try again later; compare site_url with the address of the site in a browser", "%s", err)
}
