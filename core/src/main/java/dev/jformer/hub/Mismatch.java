package dev.jformer.hub;

import dev.jformer.config.ConfigException;
import dev.jformer.io.FormatException;
import dev.jformer.model.CausalLm;
import dev.jformer.nn.Activation;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Checks whether a model can be saved as one of a Hugging Face family, and explains why not. */
final class Mismatch {
  private Mismatch() {}

  /** Checks a configuration against a family. */
  record Check(String family) {
    void that(boolean holds, String wanted, Object given) {
      if (!holds) {
        throw new ConfigException(
            "this model cannot be saved as a "
                + family
                + ", which has "
                + wanted
                + ": it has "
                + given);
      }
    }

    <T> T is(Class<T> kind, Object given, String wanted) {
      that(kind.isInstance(given), wanted, given);
      return kind.cast(given);
    }

    /**
     * The name of an activation in a family.
     *
     * @param preferred the names to take if an activation has several
     */
    String name(Activation activation, Map<String, Activation> names, String... preferred) {
      List<String> fitting =
          names.keySet().stream().filter(n -> names.get(n) == activation).sorted().toList();
      String all = String.join(", ", names.keySet().stream().sorted().toList());
      that(!fitting.isEmpty(), "the activations " + all, activation);
      return Stream.of(preferred).filter(fitting::contains).findFirst().orElse(fitting.get(0));
    }

    /** Checks that a family describes a model completely. */
    void same(CausalLm.Config ours, CausalLm.Config theirs) {
      PlainForm.Difference found = PlainForm.difference(PlainForm.of(ours), PlainForm.of(theirs));
      if (found != null) {
        throw new ConfigException(
            "this model cannot be saved as a "
                + family
                + ", whose "
                + found.field()
                + " is "
                + FormatException.oneLine(found.right())
                + ": its own is "
                + FormatException.oneLine(found.left()));
      }
    }
  }
}
