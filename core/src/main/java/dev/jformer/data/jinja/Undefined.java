package dev.jformer.data.jinja;

/**
 * The value of a name that does not exist.
 *
 * @param reason why it has no value, for messages
 */
record Undefined(String reason) {
  JinjaException error() {
    return new JinjaException(reason);
  }
}
