package dev.jformer.hub;

import dev.jformer.config.ConfigException;

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
  }
}
