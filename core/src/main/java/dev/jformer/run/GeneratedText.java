package dev.jformer.run;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Consumer;

/**
 * The continuation of a text, in pieces of at least one character. It is generated anew each time
 * it is asked for: piece by piece in {@link #forEach}, as a whole in {@link #text} and {@link
 * #iterator}.
 */
public final class GeneratedText implements Iterable<String> {
  private final Consumer<Consumer<? super String>> source;

  GeneratedText(Consumer<Consumer<? super String>> source) {
    this.source = source;
  }

  /** Gives each piece as soon as it is there, in the calling thread. */
  @Override
  public void forEach(Consumer<? super String> consumer) {
    source.accept(consumer);
  }

  /** All pieces joined. */
  public String text() {
    StringBuilder text = new StringBuilder();
    forEach(text::append);
    return text.toString();
  }

  /** The pieces, after all of them were generated. */
  @Override
  public Iterator<String> iterator() {
    List<String> pieces = new ArrayList<>();
    forEach(pieces::add);
    return List.copyOf(pieces).iterator();
  }
}
