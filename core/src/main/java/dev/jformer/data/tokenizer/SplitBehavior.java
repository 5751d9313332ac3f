package dev.jformer.data.tokenizer;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** What becomes of the matches of a pattern that splits a text. */
enum SplitBehavior {
  /** They are left out. */
  REMOVED,
  /** Each is a piece of its own. */
  ISOLATED,
  /** Each ends the piece before it. */
  MERGED_WITH_PREVIOUS,
  /** Each begins the piece after it. */
  MERGED_WITH_NEXT,
  /** Neighbouring ones are a piece together. */
  CONTIGUOUS;

  /** A part of a text. */
  record Range(int start, int end, boolean isMatch) {}

  /** Splits a text at the matches of a pattern. */
  List<Range> split(TextPattern pattern, String text) {
    List<Range> parts = new ArrayList<>();
    pattern.find(text, (start, end, isMatch) -> parts.add(new Range(start, end, isMatch)));
    return switch (this) {
      case ISOLATED -> parts;
      case REMOVED -> parts.stream().filter(part -> !part.isMatch()).toList();
      case CONTIGUOUS, MERGED_WITH_PREVIOUS -> forward(parts);
      case MERGED_WITH_NEXT -> backward(parts);
    };
  }

  private List<Range> forward(List<Range> parts) {
    List<Range> merged = new ArrayList<>();
    boolean previous = false;
    for (Range part : parts) {
      boolean joins = this == CONTIGUOUS ? part.isMatch() == previous : part.isMatch() && !previous;
      if (joins && !merged.isEmpty()) {
        Range last = merged.remove(merged.size() - 1);
        merged.add(new Range(last.start(), part.end(), false));
      } else {
        merged.add(part);
      }
      previous = part.isMatch();
    }
    return merged;
  }

  private static List<Range> backward(List<Range> parts) {
    List<Range> merged = new ArrayList<>(); // last piece first
    boolean following = false;
    for (int i = parts.size() - 1; i >= 0; i--) {
      Range part = parts.get(i);
      if (part.isMatch() && !following && !merged.isEmpty()) {
        Range next = merged.remove(merged.size() - 1);
        merged.add(new Range(part.start(), next.end(), false));
      } else {
        merged.add(part);
      }
      following = part.isMatch();
    }
    Collections.reverse(merged);
    return merged;
  }
}
