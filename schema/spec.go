package schema

// Spec is the table that describes a body: it drives decoding, "providers
// schema -json", the reference page and redaction.
type Spec struct {
	Attrs  []Attr
	Blocks []Nested
	// Open accepts attributes that Attrs does not list; they are found in Object.Rest.
	Open bool

	hints hints // what to say of names that people bring along from elsewhere
}

// hints say what to do instead of using a name. They are few, and a list, unlike
// a map, is ready when the program starts.
type hints []struct{ name, text string }

func (hs hints) of(name string) string {
	for _, h := range hs {
		if h.name == name {
			return h.text
		}
	}
	return ""
}

// Kind says what an attribute holds and how it is checked and converted.
type Kind int

// The kinds of attributes.
const (
	String    Kind = iota // a string
	Bool                  // true or false
	Number                // an integer
	Duration              // "90s", "5m", "1h30m", "90d", or a number of seconds
	Strings               // a list or set of strings
	ScopeList             // a list of strings, or one space-delimited string
	StringMap             // a map of strings
	Sensitive             // a secret string: never a literal
	Any                   // left as a cty.Value
	Static                // read by the language itself, never evaluated as a value (for_each, depends_on)
)

// String is the name of a kind in "providers schema".
func (k Kind) String() string {
	names := [...]string{"string", "bool", "number", "duration", "list_of_strings", "scopes", "map_of_strings", "secret", "any", "static"}
	if k < 0 || int(k) >= len(names) {
		return "unknown"
	}
	return names[k]
}

// MarshalText implements [encoding.TextMarshaler].
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Attr describes one attribute of a Spec.
type Attr struct {
	Name     string
	Kind     Kind
	Required bool
	OneOf    []string // allowed values of a String; empty: any
	Doc      string   // one sentence or two for the reference page
	Default  string   // for the reference page, as written in HCL; "" if none
	// InAddress: of a StringMap, that it becomes part of an address which is shown
	// and opened in a browser, so that nothing sensitive may be in it.
	InAddress bool
	// Nulls: of a StringMap, that members may be null: see [Object.Secrets].
	Nulls bool
	// Ephemeral: it may have the value of an ephemeral variable, since it is not stored.
	Ephemeral bool
}

// Nested describes one nested block type of a Spec.
type Nested struct {
	Type   string
	Labels []string // names of the labels
	Max    int      // how many may stand there; 0: any number
	Doc    string
	Spec   *Spec // nil: left undecoded
}
