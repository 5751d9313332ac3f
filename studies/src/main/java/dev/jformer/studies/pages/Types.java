package dev.jformer.studies.pages;

/** Finds the classes that the catalogue names. */
final class Types {
  private Types() {}

  /**
   * Returns the class of a name without initialising it.
   *
   * @throws IllegalArgumentException if there is none
   */
  static Class<?> find(String name) {
    try {
      return Class.forName(name, false, Types.class.getClassLoader());
    } catch (ClassNotFoundException e) {
      throw new IllegalArgumentException(
          "the catalogue names a class that does not exist: " + name, e);
    }
  }
}
