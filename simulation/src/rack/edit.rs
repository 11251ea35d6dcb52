//! Changing a rack. Every function either leaves a valid rack valid, or refuses and changes nothing.

use crate::catalogue::Catalogue;
use crate::id::ModuleId;

use super::{CORE, Cable, Cell, Grid, Placement, Rack, RackError, inputs_of};

impl Rack {
    /// Puts a module on a free cell, or moves it there. Cables that no longer reach are unplugged.
    ///
    /// # Errors
    /// The module is not in the catalogue, or the cell is not on the grid or taken by another module.
    pub fn place(
        &mut self,
        module_id: ModuleId,
        cell: Cell,
        grid: Grid,
        catalogue: &Catalogue,
    ) -> Result<(), RackError> {
        if catalogue.module(module_id).is_none() {
            return Err(RackError::NotOwned(module_id));
        }
        if !grid.contains(cell) {
            return Err(RackError::NoSuchCell);
        }
        if self.module_at(cell).is_some_and(|other| other != module_id) {
            return Err(RackError::CellTaken);
        }
        self.placements.retain(|placement| placement.module_id != module_id);
        self.placements.push(Placement { cell, module_id });
        self.sort();
        self.unplug_out_of_reach(catalogue);
        Ok(())
    }

    /// Takes a module off the grid, together with its cables and those that only reached because of it.
    ///
    /// # Errors
    /// The module is not on the grid.
    pub fn remove(&mut self, module_id: ModuleId, catalogue: &Catalogue) -> Result<(), RackError> {
        if self.cell_of(module_id).is_none() {
            return Err(RackError::NotPlaced(module_id));
        }
        self.placements.retain(|placement| placement.module_id != module_id);
        self.cables.retain(|cable| cable.from != module_id && cable.to != module_id);
        self.unplug_out_of_reach(catalogue);
        Ok(())
    }

    /// Plugs a module's output into another module's input, or into the core. Replaces the output's old cable.
    ///
    /// # Errors
    /// One of the two is not on the grid, the cable would be too long, all inputs are taken, or it would close a
    /// loop.
    pub fn connect(&mut self, from: ModuleId, to: ModuleId, catalogue: &Catalogue) -> Result<(), RackError> {
        self.check_cable(from, to, self.reach_cells(catalogue))?;
        let taken = self.cables.iter().filter(|cable| cable.to == to && cable.from != from).count();
        if taken >= usize::from(inputs_of(to, catalogue)) {
            return Err(RackError::InputsFull(to));
        }
        if self.leads_to(to, from) {
            return Err(RackError::Loop(from));
        }
        self.cables.retain(|cable| cable.from != from);
        self.cables.push(Cable { from, to });
        self.sort();
        Ok(())
    }

    /// Unplugs a module's output. Gives whether there was a cable.
    ///
    /// # Errors
    /// The module is not on the grid.
    pub fn disconnect(&mut self, from: ModuleId) -> Result<bool, RackError> {
        if self.cell_of(from).is_none() {
            return Err(RackError::NotPlaced(from));
        }
        let before = self.cables.len();
        self.cables.retain(|cable| cable.from != from);
        Ok(self.cables.len() < before)
    }

    /// Checks a whole rack, such as one that was imported.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn validate(
        &self,
        owns: impl Fn(ModuleId) -> bool,
        grid: Grid,
        catalogue: &Catalogue,
    ) -> Result<(), RackError> {
        let mut checked = Self::default();
        for placement in &self.placements {
            if !owns(placement.module_id) {
                return Err(RackError::NotOwned(placement.module_id));
            }
            if checked.cell_of(placement.module_id).is_some() {
                return Err(RackError::PlacedTwice(placement.module_id));
            }
            checked.place(placement.module_id, placement.cell, grid, catalogue)?;
        }
        for cable in &self.cables {
            if checked.output_of(cable.from).is_some() {
                return Err(RackError::OutputTaken(cable.from));
            }
            checked.connect(cable.from, cable.to, catalogue)?;
        }
        Ok(())
    }

    /// As much of this rack as the hero can have: modules that are not owned or lie outside of the grid leave
    /// gaps, and cables that do not fit are left out. The result is valid.
    #[must_use]
    pub fn fitted(&self, owns: impl Fn(ModuleId) -> bool, grid: Grid, catalogue: &Catalogue) -> Self {
        let mut fitted = Self::default();
        for placement in &self.placements {
            if owns(placement.module_id) && fitted.cell_of(placement.module_id).is_none() {
                // A refusal is a gap, which is what loading a preset promises.
                let _ = fitted.place(placement.module_id, placement.cell, grid, catalogue);
            }
        }
        for cable in &self.cables {
            if fitted.output_of(cable.from).is_none() {
                let _ = fitted.connect(cable.from, cable.to, catalogue);
            }
        }
        fitted
    }

    fn check_cable(&self, from: ModuleId, to: ModuleId, reach_cells: u8) -> Result<(), RackError> {
        let start = self.cell_of(from).ok_or(RackError::NotPlaced(from))?;
        if to == CORE {
            return Ok(());
        }
        let end = self.cell_of(to).ok_or(RackError::NotPlaced(to))?;
        if start.distance(end) > reach_cells { Err(RackError::OutOfReach { from, to }) } else { Ok(()) }
    }

    /// Whether the signal of `start` comes through `goal` (or is it).
    fn leads_to(&self, start: ModuleId, goal: ModuleId) -> bool {
        let mut at = start;
        // A path has at most one step for each cable.
        for _ in 0..=self.cables.len() {
            if at == goal {
                return true;
            }
            match self.output_of(at) {
                Some(next) => at = next,
                None => return false,
            }
        }
        false
    }

    fn unplug_out_of_reach(&mut self, catalogue: &Catalogue) {
        let reach_cells = self.reach_cells(catalogue);
        let mut cables = core::mem::take(&mut self.cables);
        cables.retain(|cable| self.check_cable(cable.from, cable.to, reach_cells).is_ok());
        self.cables = cables;
    }
}
