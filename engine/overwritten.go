package engine

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/engine/sink"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
)

// overwritten finds sinks that write over each other: what is at the place is then
// of whichever came last, and no plan notices.
type overwritten struct {
	writers map[[3]string]addr.Addr // by kind, place and name
	warned  map[addr.Addr]bool      // blocks: one with for_each would repeat itself
	diags   hcl.Diagnostics
}

func (w *overwritten) add(b *schema.Block, s *sink.Sink) {
	if w.writers == nil {
		w.writers, w.warned = map[[3]string]addr.Addr{}, map[addr.Addr]bool{}
	}
	for _, name := range s.Writes {
		key := [3]string{s.Type, s.Target.Place(), name}
		other, taken := w.writers[key]
		if !taken {
			w.writers[key] = s.Addr
			continue
		}
		if w.warned[s.Addr.Block()] {
			return
		}
		w.warned[s.Addr.Block()] = true
		w.warn(b, s, other, name)
	}
}

func (w *overwritten) warn(b *schema.Block, s *sink.Sink, other addr.Addr, name string) {
	what, remedy := s.Target.Place(), "Give one of them another place, or another name there."
	if name != "" {
		what = name + " of " + what
	}
	if other.Block() == s.Addr.Block() {
		remedy = "With for_each, write ${each.key} into the place, or into the name."
	}
	w.diags = append(w.diags, &hcl.Diagnostic{
		Severity: hcl.DiagWarning,
		Summary:  "Sinks that write over each other",
		Detail:   fmt.Sprintf("%s and %s both write %s, which then is of whichever was published last. %s", other, s.Addr, what, remedy),
		Subject:  b.Range.Ptr(),
		Extra:    schema.DiagExtra{Addr: s.Addr},
	})
}
