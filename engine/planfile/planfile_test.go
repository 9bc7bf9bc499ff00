package planfile_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/engine/planfile"
	"github.com/oauthctl/oauthctl/schema/addr"
)

// fill gives every field of a value something that is not zero.
func fill(v reflect.Value) {
	switch x := v.Addr().Interface().(type) {
	case *addr.Addr:
		*x = addr.Connection("north").Instance(`a "key" <&>`)
		return
	case *time.Time:
		*x = time.Date(2026, 11, 23, 9, 0, 0, 5, time.UTC)
		return
	case *hcl.Range: // of which a file and a line are shown
		x.Filename, x.Start.Line = "main.hcl", 7
		return
	case *cty.Value:
		*x = cty.ObjectVal(map[string]cty.Value{"a": cty.StringVal("<"), "b": cty.ListValEmpty(cty.Number)})
		return
	case *json.RawMessage:
		*x = json.RawMessage(`{"a":"<"}`)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		key, elem := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key)
		fill(elem)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, elem)
	case reflect.String:
		v.SetString("text <&> \u2028 é")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1_500_000_001)
	case reflect.Uint64:
		v.SetUint(1<<63 - 1)
	default:
		panic("what is a " + v.Kind().String() + "?")
	}
}

func full() *planfile.File {
	var f planfile.File
	fill(reflect.ValueOf(&f).Elem())
	return &f
}

func sign(text string) (string, error) { return planfile.Digest("key", "test", text), nil }

// What is planned is what is shown and applied later: nothing gets lost, of
// whatever a plan has in it.
func TestEverythingComesBack(t *testing.T) {
	for name, key := range map[string]planfile.Sign{"signed": sign, "without a state": nil} {
		want := full()
		text, err := want.Encode(key)
		if err != nil {
			t.Fatal(err)
		}
		got, err := planfile.Decode(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := got.Verify(key); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, f := range []*planfile.File{want, got.File} { // HTML escapes are another way to write the same
			for k, v := range f.Values {
				f.Values[k] = json.RawMessage(strings.ReplaceAll(string(v), `\u003c`, "<"))
			}
		}
		if !reflect.DeepEqual(got.File, want) {
			t.Errorf("%s: got %+v\nwant %+v", name, got.Plan, want.Plan)
		}
	}
}

// What has no value, and what is not known yet, stay apart.
func TestOutputsWithoutValuesComeBack(t *testing.T) {
	f := full()
	f.Plan.Outputs = []plan.OutputChange{
		{Name: "a", Action: plan.CreateOutput, After: cty.DynamicVal},
		{Name: "b", Action: plan.UpdateOutput, Sensitive: true},
		{Name: "c", Action: plan.DeleteOutput, Before: cty.NullVal(cty.String)},
	}
	text, err := f.Encode(nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := planfile.Decode(text)
	if err != nil || !reflect.DeepEqual(got.Plan.Outputs, f.Plan.Outputs) {
		t.Errorf("%+v, %v", got, err)
	}
}

// Every byte counts: with one of them changed, a plan is not read, not verified,
// or says the same in other words.
func TestNoByteCanBeChanged(t *testing.T) {
	text, err := full().Encode(sign)
	if err != nil {
		t.Fatal(err)
	}
	for i := range text {
		for _, c := range []byte{text[i] ^ 1, ' ', '0'} {
			if c == text[i] {
				continue
			}
			changed := slices.Clone(text)
			changed[i] = c
			s, err := planfile.Decode(changed)
			if err == nil {
				err = s.Verify(sign)
			}
			if err == nil && i < len(text)-1 {
				t.Fatalf("byte %d: %q may be %q", i, text[i], c)
			}
			if err != nil && !errors.Is(err, planfile.ErrChanged) && !errors.Is(err, planfile.ErrNotPlan) && !errors.Is(err, planfile.ErrFormat) {
				t.Fatalf("byte %d: %v", i, err)
			}
		}
	}
}

// A plan that was signed cannot pass as one of a time when there was no state,
// nor the other way round.
func TestSignaturesCannotBeLeftOut(t *testing.T) {
	signed, _ := full().Encode(sign)
	plain, _ := full().Encode(nil)
	for name, c := range map[string]struct {
		text []byte
		key  planfile.Sign
	}{"signed, read without a key": {signed, nil}, "plain, read with a key": {plain, sign}} {
		s, err := planfile.Decode(c.text)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Verify(c.key); !errors.Is(err, planfile.ErrChanged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// When a plan was made does not count for what it does; everything else does.
func TestSameChanges(t *testing.T) {
	a, b := full().Plan, full().Plan
	b.CreatedAt, b.Warnings = b.CreatedAt.Add(time.Hour), nil
	if !planfile.SameChanges(a, b) {
		t.Error("the time of a plan counts as a change")
	}
	fields := reflect.TypeFor[plan.Change]()
	for i := range fields.NumField() {
		b := full().Plan
		reflect.ValueOf(&b.Changes[0]).Elem().Field(i).SetZero()
		if planfile.SameChanges(a, b) {
			t.Errorf("a change of %s does not count", fields.Field(i).Name)
		}
	}
}

func FuzzDecode(f *testing.F) {
	text, err := full().Encode(sign)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"type":"oauthctl_plan"}`))
	f.Add([]byte(`{"type":"oauthctl_plan","format_version":"1.0","body":{"changes":[{"address":"x"}]}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := planfile.Decode(text)
		if err != nil {
			return
		}
		if err := s.Verify(sign); err != nil {
			return
		}
		if _, err := s.Encode(sign); err != nil {
			t.Errorf("what was read cannot be written: %v", err)
		}
	})
}
