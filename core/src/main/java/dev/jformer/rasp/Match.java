package dev.jformer.rasp;

/** How attention compares a key with a query: RASP-L knows no other predicates. */
public enum Match {
  /** The key equals the query. */
  EQUAL,
  /** The key is less than the query. */
  LESS,
  /** The key is at most the query. */
  AT_MOST,
  /** The key is greater than the query. */
  GREATER,
  /** The key is at least the query. */
  AT_LEAST,
  /** Every key matches. */
  ANY;

  boolean matches(int key, int query) {
    return switch (this) {
      case EQUAL -> key == query;
      case LESS -> key < query;
      case AT_MOST -> key <= query;
      case GREATER -> key > query;
      case AT_LEAST -> key >= query;
      case ANY -> true;
    };
  }
}
