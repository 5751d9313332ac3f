package dev.jformer.run;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Consumer;

/**
 * The continuation of a text, in pieces of at least one character. Each use generates it again:
 * {@link #forEach} streams the pieces, {@link #text} and {@link #iterator} generate all of it
 * first.
 */
public final class GeneratedText implements Iterable<String> {
  private final Consumer<Consumer<? super String>> source;

  GeneratedText(Consumer<Consumer<? super String>> source) {
    this.source = source;
  }

  /** Passes on each piece as soon as it is generated, in the calling thread. */
  @Override
  public void forEach(Consumer<? super String> consumer) {
    source.accept(consumer);
  }

  /** Generates the whole text. */
  public String text() {
    StringBuilder text = new StringBuilder();
    forEach(text::append);
    return text.toString();
  }

  /** Generates all pieces and iterates over them. */
  @Override
  public Iterator<String> iterator() {
    List<String> pieces = new ArrayList<>();
    forEach(pieces::add);
    return List.copyOf(pieces).iterator();
  }
}
