package dev.jformer.metrics;

import java.util.ArrayList;
import java.util.List;

/**
 * An entity in a sentence.
 *
 * @param type its type, for example {@code person}; empty if tags name none
 * @param start index of its first word
 * @param end index after its last word
 */
public record EntitySpan(String type, int start, int end) {
  private static final String OUTSIDE = "O";

  /** A tag: its prefix, {@code O} for a word outside of entities, and the type. */
  private record Tag(char prefix, String type) {
    static Tag of(String tag) {
      if (tag.equals(OUTSIDE)) {
        return new Tag('O', "");
      }
      boolean prefixed = "BIES".indexOf(tag.charAt(0)) >= 0;
      if (prefixed && tag.length() == 1) {
        return new Tag(tag.charAt(0), "");
      }
      return prefixed && tag.charAt(1) == '-'
          ? new Tag(tag.charAt(0), tag.substring(2))
          : new Tag('I', tag);
    }

    /** Whether a word with this tag belongs to the entity of the word before. */
    boolean continues(Tag before) {
      return (prefix == 'I' || prefix == 'E')
          && (before.prefix == 'B' || before.prefix == 'I')
          && type.equals(before.type);
    }
  }

  /**
   * Finds the entities that tags mark, as the CoNLL shared tasks count them: {@code B-} and {@code
   * S-} begin an entity, {@code I-} and {@code E-} continue one of the same type, or begin one if
   * there is none; nothing continues after {@code E-} and {@code S-}. A tag without such a prefix
   * is a type itself.
   *
   * @param tags a tag for each word
   */
  public static List<EntitySpan> of(List<String> tags) {
    List<EntitySpan> spans = new ArrayList<>();
    Tag before = new Tag('O', "");
    int start = -1;
    for (int i = 0; i <= tags.size(); i++) {
      Tag tag = Tag.of(i == tags.size() ? OUTSIDE : tags.get(i));
      if (!tag.continues(before)) {
        if (start >= 0) {
          spans.add(new EntitySpan(before.type(), start, i));
        }
        start = tag.prefix() == 'O' ? -1 : i;
      }
      before = tag;
    }
    return spans;
  }
}
