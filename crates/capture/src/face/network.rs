//! One neural network, loaded once and run on planes of floats.

use std::sync::Arc;

use rten::{Model, ModelOptions, NodeId, RunOptions, ThreadPool};
use rten_tensor::{NdTensorView, Tensor};
use zeroize::Zeroizing;

use crate::error::CaptureError;

/// A loaded network with one input of shape 1 x channels x height x width.
pub struct Network {
    role: &'static str,
    model: Model,
    input: NodeId,
    outputs: Vec<NodeId>,
    threads: Arc<ThreadPool>,
}

impl Network {
    /// Loads an ONNX file with plain fp32 weights and looks its outputs up by name. `role` names it in errors; it runs
    /// on `threads`.
    ///
    /// # Errors
    /// When the bytes are no such model or lack an output.
    pub fn load(role: &'static str, bytes: &[u8], outputs: &[&str], threads: &Arc<ThreadPool>) -> Result<Network, CaptureError> {
        let model = ModelOptions::with_all_ops()
            .prepack_weights(true)
            .load(bytes.to_vec())
            .map_err(|error| CaptureError::ModelUnreadable { model: role, reason: error.to_string() })?;
        let unexpected = |reason: &str| CaptureError::ModelUnexpected { model: role, reason: reason.to_owned() };
        let [input] = *model.input_ids() else {
            return Err(unexpected("it does not have exactly one input"));
        };
        let outputs = outputs
            .iter()
            .map(|name| model.find_node(name).ok_or_else(|| unexpected(&format!("it has no output {name}"))))
            .collect::<Result<_, _>>()?;
        Ok(Network { role, model, input, outputs, threads: threads.clone() })
    }

    /// Runs the network once on zeros and checks how many numbers each output has, so that later runs cannot fail.
    ///
    /// # Errors
    /// When it does not run or an output has another length.
    pub fn check(&self, shape: [usize; 4], lengths: &[usize]) -> Result<(), CaptureError> {
        let zeros = vec![0.0; shape.iter().product()];
        let unexpected = |reason: String| CaptureError::ModelUnexpected { model: self.role, reason };
        let answers = self.try_run(&zeros, shape).map_err(unexpected)?;
        if answers.iter().map(|answer| answer.len()).ne(lengths.iter().copied()) {
            return Err(unexpected("its outputs have other sizes".to_owned()));
        }
        Ok(())
    }

    /// The outputs, each flattened, in the order in which they were named. Wiped when dropped.
    ///
    /// # Panics
    /// When the network does not take this shape, which [`Network::check`] has ruled out.
    pub fn run(&self, input: &[f32], shape: [usize; 4]) -> Vec<Zeroizing<Vec<f32>>> {
        self.try_run(input, shape).expect("the network ran on such an input when it was loaded")
    }

    fn try_run(&self, input: &[f32], shape: [usize; 4]) -> Result<Vec<Zeroizing<Vec<f32>>>, String> {
        let view = NdTensorView::from_data(shape, input);
        let options = RunOptions::default().with_thread_pool(Some(self.threads.clone()));
        let values = self.model.run(vec![(self.input, view.into())], &self.outputs, Some(options)).map_err(|error| error.to_string())?;
        let flat = |value| Tensor::<f32>::try_from(value).map(|tensor| Zeroizing::new(tensor.into_data()));
        values.into_iter().map(|value| flat(value).map_err(|error| format!("an output is no float ({error:?})"))).collect()
    }
}
