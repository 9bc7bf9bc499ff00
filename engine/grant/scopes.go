package grant

import (
	"slices"
	"strings"
)

// compareScopes fills Granted. said is what the server says it granted; nil
// means as asked (RFC 6749 §5.1).
//
// A scope that was asked for counts as granted if the server lists it, spells it
// with its address ("https://…/User.Read", "https://…/auth/userinfo.email"), in
// another case, or proves it by what it sent: offline_access by a refresh token,
// openid by an ID token. Such a scope is listed as it was asked for, too, so that
// it can be found again. More than was asked for is no problem: servers do that.
func (g *Grant) compareScopes(asked, said []string) {
	if said == nil {
		g.Granted = slices.Clone(asked)
		return
	}
	g.Granted = slices.Clone(said)
	var missing []string
	for _, want := range asked {
		if slices.Contains(said, want) {
			continue
		}
		if g.proves(want) || slices.ContainsFunc(said, func(s string) bool { return sameScope(s, want) }) {
			g.Granted = append(g.Granted, want)
			continue
		}
		missing = append(missing, Clean(want))
	}
	if len(missing) > 0 {
		g.warn("not all scopes were granted: the server left out " + strings.Join(missing, ", "))
	}
}

func (g *Grant) proves(scope string) bool {
	switch scope {
	case "offline_access":
		return !g.Tokens.RefreshToken.Empty()
	case "openid":
		return !g.Tokens.IDToken.Empty()
	}
	return false
}

// sameScope reports whether the server's s is the wanted scope in other words.
func sameScope(s, want string) bool {
	if strings.EqualFold(s, want) {
		return true
	}
	if !strings.Contains(s, "://") || strings.Contains(want, "://") {
		return false
	}
	s, want = strings.ToLower(s), strings.ToLower(want)
	return strings.HasSuffix(s, "/"+want) || strings.HasSuffix(s, "/userinfo."+want)
}

// Beyond lists the scopes of a token that were not asked for. offline_access is
// about the refresh token, and not about what the token may do.
func Beyond(granted, asked []string) []string {
	var out []string
	for _, s := range granted {
		if s != "offline_access" && !slices.Contains(asked, s) && !slices.ContainsFunc(asked, func(a string) bool { return sameScope(s, a) }) {
			out = append(out, s)
		}
	}
	return out
}
