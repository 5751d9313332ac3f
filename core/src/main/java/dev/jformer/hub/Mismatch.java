package dev.jformer.hub;

import dev.jformer.config.ConfigException;

/** Says why a model of ours has no place in a family of Hugging Face's. */
final class Mismatch {
  private Mismatch() {}

  /** Checks that a configuration is of a family's kind. */
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
  }
}
