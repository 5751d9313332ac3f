package dev.jformer.data.jinja;

import dev.jformer.data.jinja.Token.Kind;
import java.util.List;

/** The tokens of a template, read one after the other. */
final class Tokens {
  private static final int DEEPEST = 200;

  private final List<Token> all;
  private int at;
  private int depth;

  Tokens(List<Token> all) {
    this.all = all;
  }

  Token next() {
    Token token = all.get(at);
    at += token.is(Kind.END) ? 0 : 1;
    return token;
  }

  Token look() {
    return all.get(at);
  }

  /** The token after the next one. */
  Token lookBeyond() {
    return all.get(Math.min(at + 1, all.size() - 1));
  }

  boolean skip(String operator) {
    if (look().isOperator(operator)) {
      at++;
      return true;
    }
    return false;
  }

  boolean skipName(String name) {
    if (look().isName(name)) {
      at++;
      return true;
    }
    return false;
  }

  void expect(String operator) {
    if (!skip(operator)) {
      throw unexpected("'" + operator + "'");
    }
  }

  void expect(Kind kind, String described) {
    if (!look().is(kind)) {
      throw unexpected(described);
    }
    next();
  }

  String name() {
    if (!look().is(Kind.NAME)) {
      throw unexpected("a name");
    }
    return next().text();
  }

  JinjaException unexpected(String expected) {
    return new JinjaException(
        "line "
            + look().line()
            + " has "
            + look().described()
            + " where "
            + expected
            + " is expected");
  }

  /** Enters a nested part of the template. */
  void enter() {
    if (++depth > DEEPEST) {
      throw new JinjaException(
          "line " + look().line() + " is nested more than " + DEEPEST + " deep");
    }
  }

  /** Leaves a nested part. */
  void leave() {
    depth--;
  }
}
