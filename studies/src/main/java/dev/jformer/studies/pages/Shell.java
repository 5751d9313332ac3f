package dev.jformer.studies.pages;

/** Words of a command line. */
final class Shell {
  private Shell() {}

  /** A word as a shell wants it: in quotes if it holds more than letters and the like. */
  static String quote(String word) {
    return word.matches("[\\w.,=+/-]+") ? word : "'" + word + "'";
  }
}
