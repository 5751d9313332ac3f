package dev.jformer.hub;

import dev.jformer.tensor.Shape;
import dev.jformer.tensor.Tensor;

/** The order in which a file holds the values of one of our weights, if it is another than ours. */
interface StoredOrder {
  /** The same order. */
  StoredOrder SAME =
      new StoredOrder() {
        @Override
        public boolean movesRows() {
          return true;
        }

        @Override
        public Shape stored(Shape ours) {
          return ours;
        }

        @Override
        public Tensor toOurs(Tensor stored) {
          return stored;
        }

        @Override
        public Tensor toStored(Tensor ours) {
          return ours;
        }
      };

  /** A transposed matrix. */
  StoredOrder TRANSPOSED =
      new StoredOrder() {
        @Override
        public Shape stored(Shape ours) {
          return Shape.of(ours.size(1), ours.size(0));
        }

        @Override
        public Tensor toOurs(Tensor stored) {
          return stored.t();
        }

        @Override
        public Tensor toStored(Tensor ours) {
          return ours.t();
        }
      };

  /** A matrix in a batch of one. */
  StoredOrder BATCHED =
      new StoredOrder() {
        @Override
        public Shape stored(Shape ours) {
          return Shape.of(1, ours.size(0), ours.size(1));
        }

        @Override
        public Tensor toOurs(Tensor stored) {
          return stored.select(0, 0);
        }

        @Override
        public Tensor toStored(Tensor ours) {
          return ours.unsqueeze(0);
        }
      };

  /** The shape in the file. */
  Shape stored(Shape ours);

  /** Whether rows of ours are rows of the file, so that their values need not be known. */
  default boolean movesRows() {
    return false;
  }

  /** Puts values in our order. */
  Tensor toOurs(Tensor stored);

  /** Puts values in the file's order. */
  Tensor toStored(Tensor ours);

  /**
   * Rows of queries, keys and values head by head: those of the first head, of the second, and so
   * on. Ours are all queries, all keys, all values.
   */
  record HeadByHead(int heads) implements StoredOrder {
    @Override
    public boolean movesRows() {
      return true;
    }

    @Override
    public Shape stored(Shape ours) {
      return ours;
    }

    @Override
    public Tensor toOurs(Tensor stored) {
      return exchanged(stored, heads, 3);
    }

    @Override
    public Tensor toStored(Tensor ours) {
      return exchanged(ours, 3, heads);
    }

    private static Tensor exchanged(Tensor rows, int outer, int inner) {
      return rows.unflatten(0, outer, inner, -1).transpose(0, 1).flatten(0, 2);
    }
  }

  /**
   * Rows of queries, keys and values by kind, as ours are, where those of Hugging Face stand head
   * by head.
   */
  record KindByKind(int heads) implements StoredOrder {
    @Override
    public boolean movesRows() {
      return true;
    }

    @Override
    public Shape stored(Shape ours) {
      return ours;
    }

    @Override
    public Tensor toOurs(Tensor stored) {
      return HeadByHead.exchanged(stored, 3, heads);
    }

    @Override
    public Tensor toStored(Tensor ours) {
      return HeadByHead.exchanged(ours, heads, 3);
    }
  }

  /** Rows in pairs of rotary channels, which ours has half a head apart. */
  record RotaryPairs(int heads) implements StoredOrder {
    @Override
    public boolean movesRows() {
      return true;
    }

    @Override
    public Shape stored(Shape ours) {
      return ours;
    }

    @Override
    public Tensor toOurs(Tensor stored) {
      return exchanged(stored, stored.size(0) / heads / 2, 2);
    }

    @Override
    public Tensor toStored(Tensor ours) {
      return exchanged(ours, 2, ours.size(0) / heads / 2);
    }

    private Tensor exchanged(Tensor rows, long outer, long inner) {
      return rows.unflatten(0, heads, outer, inner).transpose(1, 2).flatten(0, 2);
    }
  }

  /** Factors, where ours are differences from 1. */
  record OneMore() implements StoredOrder {
    @Override
    public Shape stored(Shape ours) {
      return ours;
    }

    @Override
    public Tensor toOurs(Tensor stored) {
      return stored.sub(1);
    }

    @Override
    public Tensor toStored(Tensor ours) {
      return ours.add(1);
    }
  }

  /** A table with rows before the first that we use; they are written as zeros. */
  record After(long unused) implements StoredOrder {
    @Override
    public boolean movesRows() {
      return true;
    }

    @Override
    public Shape stored(Shape ours) {
      return Shape.of(ours.size(0) + unused, ours.size(1));
    }

    @Override
    public Tensor toOurs(Tensor stored) {
      return stored.narrow(0, unused, stored.size(0) - unused);
    }

    @Override
    public Tensor toStored(Tensor ours) {
      return Tensor.cat(0, Tensor.zeros(ours.dtype(), unused, ours.size(1)), ours);
    }
  }
}
