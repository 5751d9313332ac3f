package dev.jformer.data.jinja;

/**
 * A piece of a template's source.
 *
 * @param text a string's characters without its quotes, otherwise the source
 * @param line counted from 1
 */
record Token(Kind kind, String text, int line) {
  enum Kind {
    DATA,
    BLOCK_BEGIN,
    BLOCK_END,
    VARIABLE_BEGIN,
    VARIABLE_END,
    NAME,
    STRING,
    INTEGER,
    FLOAT,
    OPERATOR,
    END
  }

  boolean is(Kind wanted) {
    return kind == wanted;
  }

  boolean is(Kind wanted, String wantedText) {
    return kind == wanted && text.equals(wantedText);
  }

  boolean isOperator(String operator) {
    return is(Kind.OPERATOR, operator);
  }

  boolean isName(String name) {
    return is(Kind.NAME, name);
  }

  /** The token in words, for messages. */
  String described() {
    return switch (kind) {
      case END -> "the end of the template";
      case DATA -> "text";
      default -> "'" + text + "'";
    };
  }
}
