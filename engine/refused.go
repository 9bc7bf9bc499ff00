package engine

import (
	"context"
	"time"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
)

// refusedPause is how old a token has to be before its refusal is believed to
// be the token's fault: a server that refuses everybody must not cost a refresh
// for each of its answers.
const refusedPause = 5 * time.Minute

// Refused renews a token that some server did not take, before its time. It
// does nothing if the connection has another token by now, or a new one.
func (e *Engine) Refused(ctx context.Context, a addr.Addr, token secret.Secret) (renewed bool, err error) {
	r, err := e.o.Store.Get(ctx, a, state.PartAll)
	if err != nil {
		return false, e.readFailure(ctx, a, err)
	}
	if token.Empty() || !r.Tokens.AccessToken.Equal(token) || e.now().Before(r.Info.ReceivedAt.Add(refusedPause)) {
		return false, nil
	}
	t, err := e.Token(ctx, a, TokenOptions{ForceRefresh: true})
	return err == nil && t.Refreshed, err
}
