"""The example's training steps by PyTorch and by JAX, each in the best setting that was found by measuring: a worker of
the benchmarks, and no part of what users build. With the name of a library it says whether it is there; with a step, a
number of threads and a batch size after it, it serves as worker.hpp says."""

import os
import struct
import sys
import time

PIXELS, UNITS, LATENT = 784, 400, 20
LEARNING_RATE = 1e-3
LEFT_OUT = 3  # the exit code that rivals.cpp takes for "not here"


def serve(make_step):
    """Makes a step, and takes as many as it is told to. What libraries print goes to standard error."""
    orders = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    step = make_step()
    while order := orders.read(4):
        (count,) = struct.unpack("=I", order)
        seconds = []
        for _ in range(count):
            start = time.perf_counter()
            step()
            seconds.append(time.perf_counter() - start)
        answers.write(struct.pack(f"={count}d", *seconds))
        answers.flush()


def pytorch_step(step_name, threads, batch, compiled):
    # Measured on two cores at batch 128, ms a step on 1 / 2 threads: VAE eager 6.9 / 6.3, compiled 6.7 / 6.2; without
    # the fused Adam it takes a fifth longer. With convolutions eager 26 / 23, compiled 27 / 21: channels_last gains where
    # it is compiled (from 28 / 22) and not where it is eager. OMP_WAIT_POLICY=passive costs a quarter on 2 threads,
    # active gains nothing. Which of eager and compiled is quicker differs, so the benchmarks have both.
    import torch
    from torch import nn

    convolutional = step_name == "conv_step"
    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)
    torch.manual_seed(2)

    class Vae(nn.Module):
        def __init__(self):
            super().__init__()
            smallest = 32 * 7 * 7 if convolutional else PIXELS
            stride = {"stride": 2, "padding": 1}
            before = [nn.Unflatten(1, (1, 28, 28)),
                      nn.Conv2d(1, 16, 3, **stride), nn.ReLU(),
                      nn.Conv2d(16, 32, 3, **stride), nn.ReLU(), nn.Flatten()]
            after = [nn.Unflatten(1, (32, 7, 7)), nn.ReLU(),
                     nn.ConvTranspose2d(32, 16, 3, output_padding=1, **stride), nn.ReLU(),
                     nn.ConvTranspose2d(16, 1, 3, output_padding=1, **stride), nn.Flatten()]
            self.features = nn.Sequential(*(before if convolutional else []), nn.Linear(smallest, UNITS), nn.ReLU())
            self.mean = nn.Linear(UNITS, LATENT)
            self.log_variance = nn.Linear(UNITS, LATENT)
            self.decoder = nn.Sequential(nn.Linear(LATENT, UNITS), nn.ReLU(), nn.Linear(UNITS, smallest),
                                         *(after if convolutional else []))

        def forward(self, x):
            features = self.features(x)
            mu, log_variance = self.mean(features), self.log_variance(features)
            z = mu + torch.exp(0.5 * log_variance) * torch.randn_like(mu)
            reconstruction = nn.functional.binary_cross_entropy_with_logits(self.decoder(z), x, reduction="sum")
            kl = 0.5 * (log_variance.exp() + mu * mu - 1 - log_variance).sum()
            return (reconstruction + kl) / x.shape[0]

    model = Vae()
    if convolutional and compiled:
        model = model.to(memory_format=torch.channels_last)
    adam = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, fused=True)
    loss_of = torch.compile(model) if compiled else model
    x = torch.rand(batch, PIXELS)
    x = torch.where(x < 0.5, 0, x)

    def step():
        adam.zero_grad()
        loss = loss_of(x)
        loss.backward()
        adam.step()
        return loss.item()

    return step


def jax_step(threads, batch):
    # XLA takes as many threads as there are processors that this process may use when it is imported. Its flag for one
    # thread (xla_cpu_multi_thread_eigen=false) does not hold it to one: with it, it used 1.8 of 2 processors. Other
    # generators of random numbers than the default one gained nothing. Measured at batch 128: 6.0 / 3.2 ms.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    import jax
    import jax.numpy as jnp

    def linear(key, inputs, outputs):
        bound = inputs**-0.5
        return {"weight": jax.random.uniform(key, (inputs, outputs), minval=-bound, maxval=bound),
                "bias": jnp.zeros(outputs)}

    def apply(layer, x):
        return x @ layer["weight"] + layer["bias"]

    def loss_of(parameters, x, key):
        features = jax.nn.relu(apply(parameters["hidden"], x))
        mu, log_variance = apply(parameters["mean"], features), apply(parameters["log_variance"], features)
        z = mu + jnp.exp(0.5 * log_variance) * jax.random.normal(key, mu.shape)
        logits = apply(parameters["pixels"], jax.nn.relu(apply(parameters["decoder"], z)))
        reconstruction = (jnp.maximum(logits, 0) - logits * x + jnp.log1p(jnp.exp(-jnp.abs(logits)))).sum()
        kl = 0.5 * (jnp.exp(log_variance) + mu * mu - 1 - log_variance).sum()
        return (reconstruction + kl) / x.shape[0]

    def step_of(state, x):
        key, noise = jax.random.split(state["key"])
        loss, gradients = jax.value_and_grad(loss_of)(state["parameters"], x, noise)
        count = state["count"] + 1
        beta1, beta2 = 0.9, 0.999
        first = jax.tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, state["first"], gradients)
        second = jax.tree.map(lambda v, g: beta2 * v + (1 - beta2) * g * g, state["second"], gradients)
        rate, correction = LEARNING_RATE / (1 - beta1**count), 1 / jnp.sqrt(1 - beta2**count)
        parameters = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) * correction + 1e-8),
                                  state["parameters"], first, second)
        return {"parameters": parameters, "first": first, "second": second, "count": count, "key": key}, loss

    step_of = jax.jit(step_of, donate_argnums=0)
    key = jax.random.key(2)
    keys = jax.random.split(key, 6)
    parameters = {"hidden": linear(keys[0], PIXELS, UNITS), "mean": linear(keys[1], UNITS, LATENT),
                  "log_variance": linear(keys[2], UNITS, LATENT), "decoder": linear(keys[3], LATENT, UNITS),
                  "pixels": linear(keys[4], UNITS, PIXELS)}
    zeros = jax.tree.map(jnp.zeros_like, parameters)
    state = {"parameters": parameters, "first": zeros, "second": jax.tree.map(jnp.zeros_like, parameters),
             "count": jnp.zeros(()), "key": key}
    x = jax.random.uniform(keys[5], (batch, PIXELS))
    x = jnp.where(x < 0.5, 0, x)

    def step():
        nonlocal state
        state, loss = step_of(state, x)
        jax.block_until_ready(state)
        return float(loss)

    return step


def describe(library):
    """One line about a library, or an exception that says why it cannot be used."""
    if library == "jax":
        import jax

        return f"JAX {jax.__version__}, jit"
    import torch

    if library == "pytorch":
        return f"PyTorch {torch.__version__}, eager, fused Adam"
    torch.compile(lambda x: x + 1)(torch.ones(2))  # needs a compiler and Python's headers
    return f"PyTorch {torch.__version__}, torch.compile, fused Adam"


def main():
    library, *work = sys.argv[1:]
    if not work:
        try:
            print(f"rival {library}: {describe(library)}")
        except Exception as error:
            reason = str(error).strip().partition("\n")[0]
            print(f"rival {library} is left out: {type(error).__name__}: {reason}")
            sys.exit(LEFT_OUT)
        return
    step_name, threads, batch = work[0], int(work[1]), int(work[2])
    if library == "jax":
        serve(lambda: jax_step(threads, batch))
    else:
        serve(lambda: pytorch_step(step_name, threads, batch, compiled=library == "pytorch_compiled"))


if __name__ == "__main__":
    main()
