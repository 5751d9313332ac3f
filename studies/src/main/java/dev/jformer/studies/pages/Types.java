package dev.jformer.studies.pages;

/** Classes by the names that the catalogue has for them. */
final class Types {
  private Types() {}

  /**
   * The class of this name, which is not initialised.
   *
   * @throws IllegalArgumentException if there is none
   */
  static Class<?> find(String name) {
    try {
      return Class.forName(name, false, Types.class.getClassLoader());
    } catch (ClassNotFoundException e) {
      throw new IllegalArgumentException(
          "the catalogue names a class that is not here: " + name, e);
    }
  }
}
