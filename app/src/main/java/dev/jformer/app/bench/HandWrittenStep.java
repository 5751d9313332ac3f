package dev.jformer.app.bench;

import dev.jformer.tensor.Engine;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.GenericList;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.OperatorHandle;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * The same training step with the same ATen calls, written by hand on the binding, without any
 * layer of ours.
 */
final class HandWrittenStep implements Workload {
  private final GptShape shape;
  private final int steps;
  private final List<Tensor> all = new ArrayList<>();
  private final List<Tensor> means = new ArrayList<>();
  private final List<Tensor> squares = new ArrayList<>();
  private final List<Tensor> counts = new ArrayList<>();
  private final Tensor embedding;
  private final Tensor position;
  private final List<Tensor[]> blocks = new ArrayList<>();
  private final Tensor normWeight;
  private final Tensor normBias;
  private final Tensor ids;
  private final Tensor targets;
  private final OperatorHandle fused;

  HandWrittenStep(GptShape shape, int steps) {
    Engine.start();
    this.shape = shape;
    this.steps = steps;
    torch.manual_seed(1);
    int d = shape.width();
    embedding = weight(GptShape.VOCAB, d);
    position = weight(shape.length(), d);
    for (int i = 0; i < shape.layers(); i++) {
      blocks.add(
          new Tensor[] {
            one(d), zero(d), weight(3L * d, d), zero(3L * d), weight(d, d), zero(d),
            one(d), zero(d), weight(4L * d, d), zero(4L * d), weight(d, 4L * d), zero(d)
          });
    }
    normWeight = one(d);
    normBias = zero(d);
    ids = ids();
    targets = ids();
    try (PointerScope scope = new PointerScope()) {
      fused =
          org.bytedeco.pytorch.Dispatcher.singleton()
              .findSchemaOrThrow("aten::_fused_adamw_", "")
              .retainReference();
    }
    for (Tensor parameter : all) {
      means.add(torch.zeros_like(parameter));
      squares.add(torch.zeros_like(parameter));
      counts.add(torch.zeros());
    }
  }

  private Tensor ids() {
    return torch.randint(
        0,
        GptShape.VOCAB,
        new long[] {shape.batch(), shape.length()},
        new org.bytedeco.pytorch.TensorOptions().dtype(new ScalarTypeOptional(ScalarType.Long)));
  }

  private Tensor weight(long rows, long columns) {
    return parameter(torch.randn(rows, columns).mul_(new Scalar(0.02)));
  }

  private Tensor one(long size) {
    return parameter(torch.ones(size));
  }

  private Tensor zero(long size) {
    return parameter(torch.zeros(size));
  }

  private Tensor parameter(Tensor value) {
    value.set_requires_grad(true);
    all.add(value);
    return value;
  }

  @Override
  public String name() {
    return "ATen calls by hand";
  }

  @Override
  public double run() {
    long start = System.nanoTime();
    for (int i = 0; i < steps; i++) {
      for (Tensor parameter : all) {
        parameter.mutable_grad().reset();
      }
      try (PointerScope scope = new PointerScope()) {
        Tensor loss = loss();
        loss.backward();
        loss.item_float();
      }
      update();
    }
    return (System.nanoTime() - start) / 1e6 / steps;
  }

  private Tensor loss() {
    long d = shape.width();
    Tensor x = torch.embedding(embedding, ids).add(position.narrow(0, 0, shape.length()));
    for (Tensor[] w : blocks) {
      Tensor h = norm(x, w[0], w[1], d);
      Tensor qkv =
          torch
              .linear(h, w[2], new TensorOptional(w[3]))
              .unflatten(2, -1, d / shape.heads())
              .transpose(1, 2);
      long heads = shape.heads();
      TensorVector parts = qkv.split_with_sizes(new long[] {heads, heads, heads}, 1);
      Tensor mixed =
          torch
              .scaled_dot_product_attention(
                  parts.get(0),
                  parts.get(1),
                  parts.get(2),
                  new TensorOptional(),
                  0,
                  true,
                  new DoubleOptional(),
                  false)
              .transpose(1, 2)
              .flatten(2, 3);
      x = x.add(torch.linear(mixed, w[4], new TensorOptional(w[5])));
      Tensor hidden =
          torch.gelu(torch.linear(norm(x, w[6], w[7], d), w[8], new TensorOptional(w[9])));
      x = x.add(torch.linear(hidden, w[10], new TensorOptional(w[11])));
    }
    Tensor logits = torch.linear(norm(x, normWeight, normBias, d), embedding, new TensorOptional());
    return torch.cross_entropy_loss(
        logits.flatten(0, 1), targets.flatten(0, 1), new TensorOptional(), 1, -1, 0);
  }

  private static Tensor norm(Tensor x, Tensor weight, Tensor bias, long width) {
    return torch.layer_norm(
        x, new long[] {width}, new TensorOptional(weight), new TensorOptional(bias), 1e-5, false);
  }

  private void update() {
    try (PointerScope scope = new PointerScope();
        org.bytedeco.pytorch.NoGradGuard guard = new org.bytedeco.pytorch.NoGradGuard()) {
      torch.clip_grad_norm_(new TensorVector(all.toArray(Tensor[]::new)), 1.0);
      update(true);
      update(false);
    }
  }

  private void update(boolean matrices) {
    TensorVector[] lists = new TensorVector[5];
    for (int i = 0; i < lists.length; i++) {
      lists[i] = new TensorVector();
    }
    for (int i = 0; i < all.size(); i++) {
      if ((all.get(i).dim() >= 2) == matrices) {
        lists[0].push_back(all.get(i));
        lists[1].push_back(all.get(i).grad());
        lists[2].push_back(means.get(i));
        lists[3].push_back(squares.get(i));
        lists[4].push_back(counts.get(i).add_(new Scalar(1)));
      }
    }
    IValueVector stack = new IValueVector();
    for (int i = 0; i < 4; i++) {
      stack.push_back(list(lists[i]));
    }
    stack.push_back(list(new TensorVector()));
    stack.push_back(list(lists[4]));
    for (double value : new double[] {1e-3, 0.9, 0.99, matrices ? 0.1 : 0, 1e-8}) {
      stack.push_back(new IValue(value));
    }
    stack.push_back(new IValue(false));
    stack.push_back(new IValue(false));
    stack.push_back(new IValue());
    stack.push_back(new IValue());
    fused.callBoxed(stack);
  }

  private IValue list(TensorVector tensors) {
    GenericList list =
        new GenericList(
            fused.schema().arguments().getPointer(0).real_type().get().containedType(0));
    for (long i = 0; i < tensors.size(); i++) {
      list.push_back(new IValue(tensors.get(i)));
    }
    return new IValue(list);
  }

  @Override
  public void close() {
    for (List<Tensor> tensors : List.of(all, means, squares, counts)) {
      tensors.forEach(Tensor::deallocate);
    }
    ids.deallocate();
    targets.deallocate();
  }
}
