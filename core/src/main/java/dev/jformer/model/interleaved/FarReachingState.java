package dev.jformer.model.interleaved;

import dev.jformer.mixer.TokenMixer;
import dev.jformer.model.Block;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * The memory of decoding: of the group that is being read and the one before it, what local layers
 * and the latents need; of all groups before, the states of global layers. A group's latents are
 * computed when the first token of the next one comes. Tokens of these two groups can be dropped.
 */
final class FarReachingState implements TokenMixer.State {
  private final FarReaching network;
  private final List<Part> parts = new ArrayList<>();
  private long batch;

  /** Number of groups whose latents are computed. */
  private long groups;

  /** Number of tokens in the group that is being read. */
  private long open;

  /** Whether the group before is remembered. */
  private boolean hasBefore;

  /** The memory of one stage. */
  private static final class Part {
    final Stage stage;
    final List<TokenMixer.State> global = new ArrayList<>();

    /** Of the group that is being read. */
    GroupMemory now;

    /** Of the group before it, or to be used for the next one. */
    GroupMemory before;

    Part(Stage stage, GroupMemory now, GroupMemory before) {
      this.stage = stage;
      this.now = now;
      this.before = before;
    }

    void exchange() {
      GroupMemory last = now;
      now = before;
      before = last;
    }
  }

  FarReachingState(FarReaching network, long batch, long capacity) {
    this.network = network;
    this.batch = batch;
    long size = network.group();
    long places = (capacity + size - 1) / size * network.latents();
    try {
      for (Stage stage : network.stages()) {
        GroupMemory now = new GroupMemory(stage, batch, size);
        Part part = new Part(stage, now, new GroupMemory(stage, batch, size));
        parts.add(part);
        for (Block block : stage.global()) {
          part.global.add(block.mixer().start(batch, places));
        }
      }
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /** Reads the next tokens: [B, T, D] to the sum of them and all that layers add. */
  Tensor read(Tensor x) {
    List<Tensor> made = new ArrayList<>();
    for (long from = 0; from < x.size(1); ) {
      if (open == network.group()) {
        complete();
      }
      long count = Math.min(network.group() - open, x.size(1) - from);
      made.add(readInGroup(x.narrow(1, from, count)));
      from += count;
    }
    return made.size() == 1 ? made.get(0) : Tensor.cat(1, made.toArray(Tensor[]::new));
  }

  private Tensor readInGroup(Tensor x) {
    Tensor h = network.placed(x, open);
    for (Part part : parts) {
      h = stepped(part.stage.local(), part.now.local(), h);
      if (part.stage.hasGlobal()) {
        part.now.tokens().append(h);
        Tensor latents = part.now.latents();
        h = part.stage.write(h, latents == null ? network.none(batch, h) : latents);
      }
    }
    open += x.size(1);
    return h;
  }

  /** Computes the latents of the group that was read, and begins the next. */
  private void complete() {
    Tensor latents = network.latents(batch, groups, 1);
    for (Part part : parts) {
      if (part.stage.hasGlobal()) {
        Tensor told = part.stage.read(latents, part.now.tokens().newestFirst(open), null);
        latents = stepped(part.stage.global(), part.global, told);
      }
      part.exchange();
      part.now.begin(latents);
    }
    groups++;
    open = 0;
    hasBefore = true;
  }

  private static Tensor stepped(List<Block> blocks, List<TokenMixer.State> states, Tensor x) {
    Tensor h = x;
    for (int i = 0; i < blocks.size(); i++) {
      h = blocks.get(i).step(h, states.get(i));
    }
    return h;
  }

  @Override
  public long length() {
    return groups * network.group() + open;
  }

  @Override
  public void truncate(long newLength) {
    if (newLength < 0) {
      throw new IllegalArgumentException(
          "cannot keep " + newLength + " tokens: expected at least 0");
    }
    if (newLength >= length()) {
      return;
    }
    if (newLength == 0) {
      begin();
      return;
    }
    long start = groups * network.group();
    if (newLength < start) {
      if (!hasBefore || newLength < start - network.group()) {
        throw new UnsupportedOperationException(
            "cannot keep "
                + newLength
                + " of "
                + length()
                + " tokens: those of the last two groups of "
                + network.group()
                + " can be dropped, of others only the latents are known");
      }
      goBack();
    }
    long kept = newLength - groups * network.group();
    parts.forEach(part -> part.now.truncate(kept));
    open = kept;
  }

  private void begin() {
    for (Part part : parts) {
      part.global.forEach(state -> state.truncate(0));
      part.now.clear();
      part.before.clear();
    }
    groups = 0;
    open = 0;
    hasBefore = false;
  }

  /** Goes back to the end of the group before the one that is being read. */
  private void goBack() {
    groups--;
    for (Part part : parts) {
      part.global.forEach(state -> state.truncate(groups * network.latents()));
      part.exchange();
      part.before.clear();
    }
    open = network.group();
    hasBefore = false;
  }

  @Override
  public void select(Tensor rows) {
    for (Part part : parts) {
      part.global.forEach(state -> state.select(rows));
      part.now.select(rows);
      part.before.select(rows);
    }
    batch = rows.elements();
  }

  @Override
  public long bytes() {
    return parts.stream()
        .mapToLong(
            part ->
                part.now.bytes()
                    + part.before.bytes()
                    + part.global.stream().mapToLong(TokenMixer.State::bytes).sum())
        .sum();
  }

  @Override
  public void close() {
    for (Part part : parts) {
      part.global.forEach(TokenMixer.State::close);
      part.now.close();
      part.before.close();
    }
  }
}
