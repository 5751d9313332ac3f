package dev.jformer.studies.pages;

/** Quotes words of a command line. */
final class Shell {
  private Shell() {}

  /** Puts a word in quotes if a shell needs them. */
  static String quote(String word) {
    return word.matches("[\\w.,=+/-]+") ? word : "'" + word + "'";
  }
}
